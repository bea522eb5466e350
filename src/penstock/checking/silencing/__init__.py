"""What hides a finding: comments, baselines and evidence."""
