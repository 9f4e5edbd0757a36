DROP TABLE reference.dealers;
