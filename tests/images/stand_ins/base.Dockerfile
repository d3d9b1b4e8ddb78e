# Debian's Python where the hub of the official image cannot be reached: the same release and the same Python.
FROM scratch
ADD root.tar /
RUN ln -s python3 /usr/bin/python && rm /usr/lib/python3.11/EXTERNALLY-MANAGED
