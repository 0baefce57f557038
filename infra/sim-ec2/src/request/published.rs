//! The requests and errors of the tests that AWS publishes for its own clients of this protocol, seen from the other side:
//! what a client of EC2 sends must be read as what it was told to send. They are in github.com/smithy-lang/smithy,
//! `smithy-aws-protocol-tests/model/ec2Query`; each is named as it is there.

use super::Params;
use crate::errors::Ec2Error;

/// The request after its action and version.
fn read(rest: &str) -> Params {
    Params::parse(format!("Action=Some&Version=2020-01-08&{rest}").as_bytes())
}

#[test]
fn plain_values_are_read_as_they_were_given() {
    for (test, rest, name, expected) in [
        ("Ec2SimpleInputParamsStrings", "Foo=val1&Bar=val2", "Bar", "val2"),
        ("Ec2SimpleInputParamsInteger", "Bam=10", "Bam", "10"),
        ("Ec2SimpleInputParamsFloat", "Boo=10.8", "Boo", "10.8"),
        ("Ec2SimpleInputParamsBlob", "Qux=dmFsdWU%3D", "Qux", "dmFsdWU="),
        ("Ec2Enums", "FooEnum=Foo", "FooEnum", "Foo"),
        ("Ec2Query", "A=Hi", "A", "Hi"),
        ("Ec2QueryIsPreferred", "B=Hi", "B", "Hi"),
        ("Ec2XmlNameIsUppercased", "C=Hi", "C", "Hi"),
        (
            "Ec2TimestampsInput",
            "NormalFormat=2015-01-25T08%3A00%3A00Z&EpochMember=1422172800",
            "NormalFormat",
            "2015-01-25T08:00:00Z",
        ),
        (
            "Ec2ProtocolIdempotencyTokenAutoFillIsSet",
            "Token=00000000-0000-4000-8000-000000000123",
            "Token",
            "00000000-0000-4000-8000-000000000123",
        ),
    ] {
        assert_eq!(read(rest).get(name), Some(expected), "{test}");
    }
}

#[test]
fn flags_and_numbers_are_what_they_say() {
    // Ec2SimpleInputParamsStringAndBooleanTrue, …BooleanFalse, …Integer.
    assert_eq!(read("Foo=val1&Baz=true").flag("Baz"), Ok(Some(true)));
    assert_eq!(read("Baz=false").flag("Baz"), Ok(Some(false)));
    assert_eq!(read("").flag("Baz"), Ok(None));
    assert_eq!(read("Bam=10").number("Bam"), Ok(Some(10)));
}

#[test]
fn lists_are_flat_and_may_hold_structures() {
    // Ec2Lists
    let lists = read(
        "ListArg.1=foo&ListArg.2=bar&ListArg.3=baz&ComplexListArg.1.Hi=hello&ComplexListArg.2.Hi=hola",
    );
    assert_eq!(lists.values("ListArg"), ["foo", "bar", "baz"]);
    let greetings: Vec<_> =
        lists.structures("ComplexListArg").into_iter().map(|each| each.get("Hi")).collect();
    assert_eq!(greetings, [Some("hello"), Some("hola")]);
    // Ec2EmptyQueryLists
    assert!(read("").values("ListArg").is_empty());
    // Ec2ListArgWithXmlNameMember, Ec2ListMemberWithXmlName
    assert_eq!(
        read("ListArgWithXmlNameMember.1=A&ListArgWithXmlNameMember.2=B")
            .values("ListArgWithXmlNameMember"),
        ["A", "B"]
    );
    assert_eq!(read("Hi.1=A&Hi.2=B").values("Hi"), ["A", "B"]);
}

#[test]
fn structures_go_as_deep_as_their_dots() {
    // Ec2NestedStructures
    let nested =
        read("Nested.StringArg=foo&Nested.OtherArg=true&Nested.RecursiveArg.StringArg=baz");
    let nested = nested.below("Nested");

    assert_eq!(nested.get("StringArg"), Some("foo"));
    assert_eq!(nested.flag("OtherArg"), Ok(Some(true)));
    assert_eq!(nested.below("RecursiveArg").get("StringArg"), Some("baz"));
}

#[test]
fn an_error_is_written_as_clients_read_it() {
    // Ec2InvalidGreetingError
    let document = Ec2Error::new("InvalidGreeting", "Hi").document("foo-id");

    let body = document.split_once('\n').map(|(_, body)| body);
    assert_eq!(
        body,
        Some(
            "<Response><Errors><Error><Code>InvalidGreeting</Code><Message>Hi</Message></Error></Errors>\
             <RequestID>foo-id</RequestID></Response>"
        )
    );
}
