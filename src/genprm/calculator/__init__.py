"""What code alone can decide about a step: printed equations, unit conversions, simple problems."""
