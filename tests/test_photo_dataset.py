"""Photos as a data set of ultralytics: what is written is read back, by both."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from detector.network import ultralytics_import
from detector.photos import folder as photo_folder
from detector.photos.dataset import NAMES, write_dataset
from detector.photos.names import meaning
from fmnist.errors import InputError
from tests.photo_folders import of_single_garments, with_boxes, with_masks, write


def test_the_names_mean_the_labels_that_they_are_written_for() -> None:
    assert [meaning(name) for name in NAMES] == list(range(12))


def test_what_is_written_is_read_back_with_the_same_split(tmp_path: Path) -> None:
    photos = with_masks(tmp_path / "street")
    count = write_dataset([photos], tmp_path / "set")
    assert count == {"train": 8, "val": 1}
    for part in (photo_folder.training_part, photo_folder.validation_part):
        for first, again in zip(
            part(photos).photos(), part(tmp_path / "set").photos(), strict=True
        ):
            np.testing.assert_array_equal(first.labels, again.labels)
            np.testing.assert_allclose(first.xyxy, again.xyxy, atol=1e-3)
            assert first.image.shape == again.image.shape


def test_an_earlier_data_set_leaves_nothing_behind(tmp_path: Path) -> None:
    write_dataset([with_masks(tmp_path / "many", 24)], tmp_path / "set")
    write_dataset([with_masks(tmp_path / "street")], tmp_path / "set")
    assert len(list((tmp_path / "set" / "train" / "images").iterdir())) == 8
    assert len(list((tmp_path / "set" / "val" / "labels").iterdir())) == 1


@pytest.mark.parametrize("output", ["street", ".", "street/set", "street/../street"])
def test_photos_are_never_removed_for_what_is_made_of_them(tmp_path: Path, output: str) -> None:
    photos = with_masks(tmp_path / "street")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="lie in each other"):
        write_dataset([photos], tmp_path / output)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_photos_of_a_hidden_folder_are_not_hidden(tmp_path: Path) -> None:
    write_dataset([with_masks(tmp_path / ".street")], tmp_path / "set")
    assert len(photo_folder.training_part(tmp_path / "set").names) == 8


def test_a_linked_part_is_told_before_anything_is_replaced(tmp_path: Path) -> None:
    photos = with_masks(tmp_path / "street")
    write_dataset([photos], tmp_path / "set")
    (tmp_path / "set/train").rename(tmp_path / "elsewhere")
    (tmp_path / "set/train").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="train is a link"):
        write_dataset([photos], tmp_path / "set")
    assert (tmp_path / "set/data.yaml").is_file()


def test_a_failure_keeps_the_data_set_before(tmp_path: Path) -> None:
    write_dataset([with_masks(tmp_path / "street")], tmp_path / "set")
    before = sorted((tmp_path / "set").rglob("*"))
    (tmp_path / "street/photos/003.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"003\.png"):
        write_dataset([tmp_path / "street"], tmp_path / "set")
    assert sorted((tmp_path / "set").rglob("*")) == before


def test_a_part_of_which_nothing_can_be_cut_out_keeps_the_data_set_before(tmp_path: Path) -> None:
    write_dataset([with_masks(tmp_path / "street")], tmp_path / "set")
    before = sorted((tmp_path / "set").rglob("*"))
    folder = of_single_garments(tmp_path / "one")
    for file in (folder / "validation").rglob("*.png"):
        write(file, np.full((80, 60, 3), 255, np.uint8))  # white on white
    with pytest.raises(InputError, match="too few photos can be cut out"):
        write_dataset([folder], tmp_path / "set")
    assert sorted((tmp_path / "set").rglob("*")) == before


def test_single_garments_have_the_box_of_what_was_cut_out(tmp_path: Path) -> None:
    count = write_dataset([of_single_garments(tmp_path / "one")], tmp_path / "set")
    assert count == {"train": 6, "val": 4}
    for photo in photo_folder.validation_part(tmp_path / "set").photos():
        assert len(photo.labels) == 1
        np.testing.assert_allclose(photo.xyxy[0], [15, 20, 45, 60], atol=3)


def test_ultralytics_finds_the_same_garments(tmp_path: Path) -> None:
    with ultralytics_import():
        from ultralytics.data.utils import check_det_dataset, verify_image_label

    write_dataset([with_masks(tmp_path / "street")], tmp_path / "set")
    facts = check_det_dataset(str(tmp_path / "set" / "data.yaml"), autodownload=False)
    assert facts["names"] == dict(enumerate(NAMES)) and facts["nc"] == 12
    (image,) = Path(facts["val"]).glob("*.jpg")
    label = tmp_path / "set" / "val" / "labels" / f"{image.stem}.txt"
    found = verify_image_label((str(image), str(label), "", False, 12, 0, 0, False))
    (photo,) = photo_folder.validation_part(tmp_path / "set").photos()
    np.testing.assert_array_equal(found[1][:, 0], photo.labels)


def test_one_yaml_above_the_parts_is_enough_and_none_is_told(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        with_boxes(tmp_path / part)
    (tmp_path / "train" / "data.yaml").replace(tmp_path / "data.yaml")
    (tmp_path / "valid" / "data.yaml").unlink()
    assert [len(photo_folder.validation_part(tmp_path).names)] == [2]
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"names": ["no such garment"]}))
    with pytest.raises(InputError, match="no such garment"):
        photo_folder.training_part(tmp_path)
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(InputError, match="data.yaml: no such file. It names the labels"):
        photo_folder.training_part(tmp_path)
