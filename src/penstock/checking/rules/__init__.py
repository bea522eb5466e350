"""What a finding is: declarations against calls."""
