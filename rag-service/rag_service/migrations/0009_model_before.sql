-- While documents are embedded anew, those not yet reached are searched by the model before.
ALTER TABLE embedding_space
    ADD COLUMN previous_model      text,
    ADD COLUMN previous_dimensions integer;
