"""What a finished autoencoder means: pieces, certificates, curvature."""
