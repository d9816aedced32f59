"""The systems of the review, one file each, and the models that they are judged against."""
