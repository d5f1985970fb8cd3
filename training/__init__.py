"""The detector and what it needs: footage reading, claps, the renderer, the network. Knows nobody of ours."""
