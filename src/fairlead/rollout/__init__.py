"""The main job: observe, plan, execute; and what makes it safe."""
