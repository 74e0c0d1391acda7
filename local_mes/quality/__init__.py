"""Quality at the plant: rules asked, holds placed and released by people, with the evidence kept."""
