"""What the decorators do when a function or class is declared."""
