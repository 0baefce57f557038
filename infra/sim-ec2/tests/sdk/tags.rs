//! Tags: put on, taken off, listed, refused.

use sim_ec2::InstanceSpec;

use super::support::{filter, refusal, tag, world};

#[tokio::test]
async fn tags_are_put_on_several_resources_and_replaced() {
    let world = world();
    let (instance, volumes) = world.instance();
    let create = |value: &str| {
        let request = world.ec2.create_tags().resources(&instance).resources(&volumes[0]);
        request.tags(tag("team", value)).send()
    };

    create("a").await.unwrap();
    create("b").await.unwrap();

    let listed = world.ec2.describe_tags().filters(filter("key", "team")).send().await.unwrap();
    let values: Vec<&str> = listed.tags().iter().map(|each| each.value().unwrap()).collect();
    assert_eq!(values, ["b", "b"]);
    assert_eq!(world.sim.instance(&instance).unwrap().tags["team"], "b");
}

#[tokio::test]
async fn a_tag_deleted_with_a_value_must_have_it() {
    let world = world();
    let id =
        world.sim.add_instance(InstanceSpec::default().tag("a", "1").tag("b", "2").tag("c", "3"));
    let key_only = aws_sdk_ec2::types::Tag::builder().key("b").build();

    let request = world.ec2.delete_tags().resources(&id).tags(tag("a", "other")).tags(key_only);
    request.tags(tag("c", "3")).send().await.unwrap();

    let left: Vec<String> = world.sim.instance(&id).unwrap().tags.into_keys().collect();
    assert_eq!(left, ["a"]);
}

#[tokio::test]
async fn fifty_tags_fit_and_one_more_does_not() {
    let world = world();
    let id = world.sim.add_instance(InstanceSpec::default());
    for n in 0..50 {
        let request = world.ec2.create_tags().resources(&id).tags(tag(&format!("k{n}"), ""));
        request.send().await.unwrap();
    }

    let create = |key: &str| world.ec2.create_tags().resources(&id).tags(tag(key, "x")).send();

    create("k7").await.unwrap();
    assert_eq!(refusal(create("k50").await), "TagLimitExceeded");
}

#[tokio::test]
async fn what_cannot_be_tagged_is_refused_and_nothing_else_is_tagged() {
    let world = world();
    let id = world.sim.add_instance(InstanceSpec::default());
    let create = |other: &str, key: &str| {
        world.ec2.create_tags().resources(&id).resources(other).tags(tag(key, "1")).send()
    };

    for (other, key, code) in [
        (id.as_str(), "aws:mine", "InvalidParameterValue"),
        ("snap-0123456789abcdef0", "k", "InvalidSnapshot.NotFound"),
        ("vol-0123456789abcdef0", "k", "InvalidVolume.NotFound"),
        ("i-0123456789abcdef0", "k", "InvalidInstanceID.NotFound"),
        ("ami-0123456789abcdef0", "k", "InvalidAMIID.NotFound"),
        ("house", "k", "InvalidID"),
        (id.as_str(), &"k".repeat(129), "InvalidParameterValue"),
    ] {
        assert_eq!(refusal(create(other, key).await), code, "{other} {key}");
    }
    assert!(world.sim.instance(&id).unwrap().tags.is_empty());
}
