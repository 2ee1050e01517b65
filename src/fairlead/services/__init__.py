"""A repository of many services: which there are, and which of them a change reaches."""
