"""Nothing for Python here: records of an image on their way to the file."""
