"""The ten classes of Fashion-MNIST, in the order of their label numbers."""

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

TRAINING_SIZE = 60_000
VALIDATION_SIZE = 5_000  # of these training images, 500 of each class
LEARNT_SIZE = TRAINING_SIZE - VALIDATION_SIZE  # the others

# Labels beside the ten: of an image that shows no garment, which only classifiers see,
NOTHING = len(CLASSES)
# of a garment of none of the classes, which they, too, are to call nothing,
OTHER = NOTHING
# and of a sandal, a sneaker or an ankle boot where nobody told which.
FOOTWEAR = OTHER + 1
SHOES = tuple(CLASSES.index(name) for name in ("Sandal", "Sneaker", "Ankle boot"))
