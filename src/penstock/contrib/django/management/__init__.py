"""What ``manage.py`` looks into for commands."""
