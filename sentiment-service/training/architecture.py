"""The network: a BERT encoder, the mean over its tokens, one linear layer. A plain Hugging Face model class."""

from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

_SAMPLES = 5


class MeanPooledBert(BertPreTrainedModel):  # type: ignore[misc, unused-ignore]
    """Sequence classification from the mean of the last hidden states; logits of shape (texts, labels).

    In training the head is averaged over five dropout masks (multi-sample dropout, Inoue 2019).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(getattr(config, "head_dropout", 0.3))
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> SequenceClassifierOutput:
        """Return the logits; positions outside the mask count for nothing."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self.bert(input_ids=input_ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        samples = _SAMPLES if self.training else 1
        logits = sum(self.classifier(self.dropout(mean)) for _ in range(samples)) / samples
        return SequenceClassifierOutput(logits=logits)
