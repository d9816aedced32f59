"""How files are read and written: regular ones only, places tried before any work, whole, private."""
