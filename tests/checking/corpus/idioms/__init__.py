"""Programs with known calls from step to step, one idiom each."""
