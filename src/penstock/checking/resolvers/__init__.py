"""Find definitions by type: jedi and ty."""
