"""Fine-tuning of encoders: one loop for all modalities.

A modality gives a :class:`~predictors.encoders.training.learner.Learner`: its model, its samples, the loss of some of
them, figures on what it does not learn from, and how it is saved.
:func:`~predictors.encoders.training.command.train_encoder` trains it in the folder of a run: checkpoints without
pickle, a resumed run that ends as an uninterrupted one, early stopping, TensorBoard, curves, and a model that
``from_pretrained`` reads, the best so far at any time.
"""
