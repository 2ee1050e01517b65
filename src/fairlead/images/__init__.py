"""Images: which digest a tag means, asked of the registry."""
