"""A marked function: the step it is, its marker, its source and its signature."""
