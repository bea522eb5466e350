"""What penstock costs, as ratios to something everybody knows; ``make bench``."""
