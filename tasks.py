from fairlead.tasks import ns

__all__ = ["ns"]
