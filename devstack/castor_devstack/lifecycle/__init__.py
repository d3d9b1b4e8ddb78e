"""Starting, watching and stopping the whole stack: what `castor up`, `down`, `status` and `logs` do."""
