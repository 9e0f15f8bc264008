"""`genprm doctor`: what this machine offers, by really trying it."""
