"""What a scene knows of itself: what is clicked, and when."""

from metaverse_env.rendering.shapes import Circle, Hit, Rectangle, Scene, Text

SCENE = Scene(
    100,
    60,
    (Rectangle(0.0, 0.0, 100.0, 60.0, "card"),),
    (Text(5.0, 5.0, "a", 8),),
    above=(Circle(50.0, 30.0, 5.0, "ink"), Text(9.0, 9.0, "b", 8)),
    hits=(Hit(10.0, 10.0, 50.0, 40.0, "zone", 3), Hit(40.0, 10.0, 10.0, 10.0, "pause")),
)


def test_shapes_stand_in_the_order_of_painting() -> None:
    assert SCENE.shapes == SCENE.ground + SCENE.below + SCENE.above
    assert [text.text for text in SCENE.texts] == ["a", "b"]


def test_a_click_means_what_lies_on_top() -> None:
    assert SCENE.hit(45.0, 15.0) == SCENE.hits[1]
    assert SCENE.hit(45.0, 25.0) == Hit(10.0, 10.0, 50.0, 40.0, "zone", 3)
    assert SCENE.hit(10.0, 10.0) is SCENE.hits[0]
    assert SCENE.hit(60.0, 20.0) is None


def test_another_moment_is_the_same_picture_otherwise() -> None:
    later = SCENE.at(0.25)
    assert later.phase == 0.25
    assert later.below is SCENE.below
    assert later.at(1.0) == SCENE
