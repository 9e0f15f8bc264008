"""What plain code can settle about a step: printed equations, unit conversions, simple problems."""
