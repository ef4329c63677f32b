"""LoRA adapters of equal size and different ranks, compared by their loss after training."""
