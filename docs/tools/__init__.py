"""What builds and checks the documentation. Nothing here is part of the package."""
