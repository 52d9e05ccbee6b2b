"""Photos with known garments, from folders in three layouts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.photos.folder import (
    AT_ONCE,
    Listing,
    check,
    check_judged,
    check_split,
    digest_of,
    listing,
    training_part,
    validation_part,
)
from detector.photos.photo import Photo
from fmnist.classes import CLASSES, FOOTWEAR, OTHER
from fmnist.errors import InputError
from tests.photo_folders import (
    NAMES,
    of_single_garments,
    picture,
    street_mask,
    with_boxes,
    with_masks,
    write,
)


def test_masks_give_boxes_labels_and_owners(tmp_path: Path) -> None:
    photos = list(listing(with_masks(tmp_path)).photos())
    assert len(photos) == 9
    coat, *shoes, skirt = (CLASSES.index("Coat"), FOOTWEAR, FOOTWEAR, OTHER)
    assert photos[0].labels.tolist() == [coat, *shoes, skirt]
    assert photos[0].xyxy.tolist() == [
        [20, 10, 40, 40],
        [18, 70, 26, 75],
        [34, 70, 42, 75],
        [22, 40, 38, 60],
    ]
    assert photos[0].owner is not None


def test_no_more_photos_are_read_than_are_soon_asked_for(tmp_path: Path) -> None:
    asked: list[Path] = []
    one = next(listing(with_masks(tmp_path)).photos())

    def read(file: Path) -> Photo:
        asked.append(file)
        return one

    files = tuple(tmp_path / f"{number}.jpg" for number in range(5 * AT_ONCE + 1))
    photos = Listing(tmp_path, files, read).photos()
    for taken in range(len(files)):
        assert next(photos) is one
        assert len(asked) <= (taken // AT_ONCE + 1) * AT_ONCE
    assert next(photos, None) is None and sorted(asked) == sorted(files)


def test_every_eighth_validates_and_none_is_on_both_sides(tmp_path: Path) -> None:
    folder = with_masks(tmp_path, 17)
    training, validation = training_part(folder).names, validation_part(folder).names
    assert validation == ("photos/007.png", "photos/015.png")
    assert not set(training) & set(validation) and len(training) == 15


def test_boxes_and_polygons_as_ultralytics_has_them(tmp_path: Path) -> None:
    first, second = listing(with_boxes(tmp_path)).photos()
    assert first.labels.tolist() == [CLASSES.index("Ankle boot"), CLASSES.index("Dress")]
    np.testing.assert_allclose(first.xyxy, [[24, 0, 36, 40], [6, 8, 24, 72]], atol=1e-3)
    assert first.owner is None and len(second.labels) == 0
    (tmp_path / "labels" / "b.txt").write_text(
        "0 0.5 0.5 0.3 0\n0 1.004 0.5 0.002 0.2\n1 0.5 0.5 1 1"
    )
    _, third = listing(tmp_path).photos()
    assert third.labels.tolist() == [CLASSES.index("Ankle boot")], "slivers are nothing to find"


def test_photos_of_one_garment_are_cut_out_and_split_as_they_are(tmp_path: Path) -> None:
    folder = of_single_garments(tmp_path)
    training, validation = training_part(folder), validation_part(folder)
    assert training.is_single and len(training.names) == 6 and len(validation.names) == 4
    for photo in validation.photos():
        np.testing.assert_allclose(photo.xyxy, [[15, 20, 45, 60]], atol=2)
    labels = [label for _, label in validation.singles()]
    assert labels == [CLASSES.index("Dress")] * 2 + [FOOTWEAR] * 2


def test_a_folder_of_no_garment_is_left_out(tmp_path: Path) -> None:
    folder = of_single_garments(tmp_path)
    (tmp_path / "train" / "shoes").rename(tmp_path / "train" / "background")
    assert all("background" not in name for name in training_part(folder).names)
    assert {label for _, label in training_part(folder).singles()} == {CLASSES.index("Dress")}


def test_the_mark_of_windows_before_a_text_is_none_of_it(tmp_path: Path) -> None:
    for folder in (with_masks(tmp_path / "masks"), with_boxes(tmp_path / "boxes")):
        before = [photo.labels.tolist() for photo in listing(folder).photos()]
        for file in (*folder.rglob("*.txt"), *folder.rglob("*.yaml")):
            file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
        assert [photo.labels.tolist() for photo in listing(folder).photos()] == before


def test_large_photos_are_shrunk_with_their_masks(tmp_path: Path) -> None:
    folder = with_masks(tmp_path, 1)
    write(folder / "photos" / "000.png", picture(0, (1200, 1600)))
    mask = np.zeros((1600, 1200), np.uint8)
    mask[400:800, 300:900] = 1
    write(folder / "masks" / "000.png", mask)
    (photo,) = listing(folder).photos()
    assert photo.image.shape == (640, 480, 3)
    np.testing.assert_allclose(photo.xyxy, [[120, 160, 360, 320]], atol=1)


def test_there_has_to_be_something_to_judge_by(tmp_path: Path) -> None:
    few, many = with_masks(tmp_path / "few", 7), with_masks(tmp_path / "many", 8)
    single = of_single_garments(tmp_path / "single")
    with pytest.raises(InputError, match="at least 8"):
        check_judged([few])
    check_judged([few, many], by_boxes=["--misses"])
    check_judged([single])
    with pytest.raises(InputError, match="--misses"):
        check_judged([single], by_boxes=["--misses"])
    with pytest.raises(InputError, match="Add a classifier to --heads"):
        check_judged([single], want_names=False)
    hats = of_single_garments(tmp_path / "hats")
    for part in (hats / "train", hats / "validation"):
        for number, kind in enumerate(sorted(part.iterdir())):
            kind.rename(part / ("hat", "skirt")[number])
    with pytest.raises(InputError, match="no garment of the ten classes"):
        check_judged([hats])


def test_a_mask_of_more_pixels_than_are_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="has more pixels"):
        list(listing(with_masks(tmp_path)).photos())


def test_what_is_wrong_with_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        check([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no photo"):
        check([tmp_path / "empty"])
    folder = with_masks(tmp_path / "masks")
    (folder / "labels.txt").write_text("null\ncoatt\n")
    with pytest.raises(InputError, match=r"labels.txt: coatt: .* Did you mean coat"):
        check([folder])
    (folder / "labels.txt").write_text("coat\nskirt\n")
    with pytest.raises(InputError, match="the first line names the background"):
        check([folder])
    (folder / "labels.txt").write_text("null\ncoat\n")
    with pytest.raises(InputError, match="no line of labels"):
        list(listing(folder).photos())
    write(folder / "masks" / "000.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="as large as"):
        list(listing(folder).photos())
    (folder / "masks" / "000.png").unlink()
    with pytest.raises(InputError, match=r"000.png: no such file. Every photo needs its mask"):
        list(listing(folder).photos())
    (folder / "photos" / "000.png").write_bytes(b"text")
    with pytest.raises(InputError, match="cannot|can be read"):
        list(listing(folder).photos())
    folder = with_boxes(tmp_path / "boxes")
    (folder / "labels" / "a.txt").write_text("7 0.5 0.5 1 1\n")
    with pytest.raises(InputError, match="no name for class 7"):
        list(listing(folder).photos())
    for wrong in ("0.5 0.5 0.5 1 1", "0 0.5 0.5 0.2 0.2 0.9", "0 nan 0.5 1 1", "0 320 240 90 90"):
        (folder / "labels" / "a.txt").write_text(f"{wrong}\n")
        with pytest.raises(InputError, match="is no label"):
            list(listing(folder).photos())
    (folder / "data.yaml").write_text("names: {.inf: coat}\n")
    with pytest.raises(InputError, match="has no list `names`"):
        check([folder])
    (folder / "data.yaml").write_text("nc: 3\n")
    with pytest.raises(InputError, match="names"):
        check([folder])
    (folder / "labels").rename(folder / "Labels")
    with pytest.raises(InputError, match="images has neither masks nor labels beside it"):
        check([folder])


def test_a_suffix_in_capitals_is_one(tmp_path: Path) -> None:
    for folder in (with_masks(tmp_path / "masks"), with_boxes(tmp_path / "boxes")):
        before = [photo.labels.tolist() for photo in listing(folder).photos()]
        for file in (*folder.glob("masks/*"), *folder.glob("labels/*")):
            file.rename(file.with_suffix(file.suffix.upper()))
        assert [photo.labels.tolist() for photo in listing(folder).photos()] == before


def test_null_in_a_list_of_names_is_the_background(tmp_path: Path) -> None:
    folder = with_boxes(tmp_path)
    (folder / "data.yaml").write_text("names: [null, coat, dress, null]\n")
    labels = {label for photo in listing(folder).photos() for label in photo.labels.tolist()}
    assert labels and labels <= {CLASSES.index("Coat"), CLASSES.index("Dress")}


def test_a_digest_tells_whether_the_photos_are_the_same(tmp_path: Path) -> None:
    one, other = with_masks(tmp_path / "one"), with_masks(tmp_path / "other")
    assert digest_of(()) == ""
    assert digest_of([one]) == digest_of([other]) != digest_of([one, other])
    (one / "photos" / "000.png").unlink()
    assert digest_of([one]) != digest_of([other])


def test_a_mask_of_more_garments_than_can_be_told_apart_is_refused(tmp_path: Path) -> None:
    folder = with_masks(tmp_path, 1)
    (folder / "labels.txt").write_text("null\nshoes\n")
    mask = np.zeros((400, 400), np.uint8)
    mask.reshape(20, 20, 20, 20).swapaxes(1, 2)[:, :, :14, :14] = 1
    write(folder / "photos" / "000.png", picture(0, (400, 400)))
    write(folder / "masks" / "000.png", mask)
    with pytest.raises(InputError, match="000: its mask has 255 garments or more"):
        list(listing(folder).photos())
    mask[:, 100:] = 0
    write(folder / "masks" / "000.png", mask)
    (photo,) = listing(folder).photos()
    assert len(photo.labels) == 100


def test_names_with_numbers_are_read_by_them(tmp_path: Path) -> None:
    folder = with_boxes(tmp_path)
    before = [photo.labels.tolist() for photo in listing(folder).photos()]
    (folder / "data.yaml").write_text("names: {1: boots, 5: coat, 0: dress}\n")
    assert [photo.labels.tolist() for photo in listing(folder).photos()] == before


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "I;16"])
def test_a_mask_is_read_by_its_numbers_however_they_are_saved(tmp_path: Path, mode: str) -> None:
    folder = with_masks(tmp_path, 1)
    (before,) = listing(folder).photos()
    image = Image.fromarray(street_mask())
    if mode == "P":  # the colours of the numbers, as VOC has them
        image.putpalette([(37 * i) % 256 for i in range(768)])
    elif mode == "I;16":
        image = Image.fromarray(street_mask().astype(np.uint16))
    else:
        image = image.convert(mode)
    assert image.mode == mode
    image.save(folder / "masks" / "000.png")
    (after,) = listing(folder).photos()
    assert after.labels.tolist() == before.labels.tolist()
    np.testing.assert_array_equal(after.xyxy, before.xyxy)


def test_a_mask_of_colours_or_large_numbers_is_refused(tmp_path: Path) -> None:
    folder = with_masks(tmp_path, 1)
    for wrong in (picture(0), np.full((80, 60), 300, np.uint16)):
        write(folder / "masks" / "000.png", wrong)
        with pytest.raises(InputError, match="is no mask"):
            list(listing(folder).photos())


def test_a_blank_line_would_shift_what_numbers_mean(tmp_path: Path) -> None:
    folder = with_masks(tmp_path, 1)
    (folder / "labels.txt").write_text("\n".join(NAMES) + "\n\n")
    assert len(listing(folder).names) == 1
    (folder / "labels.txt").write_text("null\n\ncoat\nskirt\nskin\n")
    with pytest.raises(InputError, match="line 2 is blank"):
        listing(folder)
    (folder / "labels.txt").write_bytes(b"null\n\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        listing(folder)


def test_half_of_a_split_is_told(tmp_path: Path) -> None:
    with_masks(tmp_path / "train")
    with pytest.raises(InputError, match="train but no validation"):
        check([tmp_path])
    (tmp_path / "train").rename(tmp_path / "val")
    with pytest.raises(InputError, match="val but no train"):
        check([tmp_path])
    assert len(validation_part(tmp_path).names) == 9  # enough to judge by


def test_a_copy_of_what_validates_is_not_learnt_from(tmp_path: Path) -> None:
    photos = with_masks(tmp_path / "street")
    check_split([photos, photos])
    copy = tmp_path / "more/coat/other.png"
    write(copy, picture(7))  # the eighth: it validates
    with pytest.raises(InputError, match=r"007\.png validates, and .*other\.png is a copy of it"):
        check_split([photos, tmp_path / "more"])
    write(copy, picture(6))
    check_split([photos, tmp_path / "more"])
    for number in range(9):
        part = "validation" if number == 8 else "train"
        write(tmp_path / "single" / part / "dress" / f"{number}.png", picture(number + 20))
    check_split([tmp_path / "single"])
    with pytest.raises(InputError, match=r"7\.png would train and validate"):
        check_split([tmp_path / "single", tmp_path / "single/train"])


def test_hidden_files_are_no_photos(tmp_path: Path) -> None:
    folder = with_masks(tmp_path)
    before = listing(folder).names
    (folder / "photos" / "._000.png").write_bytes(b"what a Mac leaves")
    assert listing(folder).names == before
