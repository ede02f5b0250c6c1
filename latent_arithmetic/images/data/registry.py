"""The data sets that are known by name: one card each."""

from dataclasses import dataclass

PUNKS = "cryptopunks"


@dataclass(frozen=True)
class Card:
    """What a data set is, and where it comes from.

    labels: what yes/no attributes its pictures have, and how these are read.
    kaggle: its handle there, if it can be fetched; `archive`: a file in the data
    folder that holds it, beside `<name>.zip` and the folder `<name>`.
    """

    name: str
    what: str
    licence: str
    link: str
    labels: str
    kaggle: str | None = None
    archive: str | None = None

    @property
    def file_names(self) -> tuple[str, ...]:
        """What it may be called in the data folder."""
        usual = (f"{self.name}.zip", self.name)
        return (self.archive, *usual) if self.archive else usual


_CARDS = (
    Card(
        PUNKS,
        what="10,000 CryptoPunks, 24 x 24 pixels",
        licence="the designs are (c) Larva Labs / Yuga Labs; used here for teaching",
        link="https://www.larvalabs.com/cryptopunks",
        labels="92 attributes: 5 types, 87 accessories; in the file",
        archive="cryptopunks.npz",
    ),
    Card(
        "utkface",
        what="more than 20,000 aligned faces, 200 x 200 pixels",
        licence="non-commercial research only",
        link="https://susanqq.github.io/UTKFace/",
        labels="gender, race and age band, from the name age_gender_race_time.jpg",
        kaggle="jangedoo/utkface-new",
        archive="utkface-64.zip",
    ),
    Card(
        "anime-faces",
        what="21,551 faces of drawn characters, 64 x 64 pixels",
        licence="educational use",
        link="https://www.kaggle.com/datasets/soumikrakshit/anime-faces",
        labels="five years each, where files are named number_year.jpg",
        kaggle="soumikrakshit/anime-faces",
        archive="anime-faces-64.zip",
    ),
    Card(
        "butterflies",
        what="6,499 labelled butterflies of 75 species and others without a label, "
        "224 x 224 pixels",
        licence="see the page",
        link="https://www.kaggle.com/datasets/phucthaiv02/butterfly-image-classification",
        labels="the species: from Training_set.csv, or from subfolders",
        kaggle="phucthaiv02/butterfly-image-classification",
    ),
    Card(
        "rijksmuseum-portraits",
        what="portraits of your choice from the museum's collection",
        licence="public domain, see the page",
        link="https://www.rijksmuseum.nl/en/rijksstudio",
        labels="yours: from subfolders",
    ),
)
CARDS = {card.name: card for card in _CARDS}
