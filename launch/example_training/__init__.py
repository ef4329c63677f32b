"""What `train_example.py` is made of: the text, the model and the training loop."""
