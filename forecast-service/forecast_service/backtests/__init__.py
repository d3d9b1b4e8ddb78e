"""Back-tests as jobs: whole forecasts made again from many earlier days, each knowing only what came before it."""
