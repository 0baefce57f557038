//! Copies of EBS snapshots from another region.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_ec2::types::ResourceType;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Ec2;
use super::errors::{Meaning, meaning};
use super::snapshots::CreationError;
use crate::domain::ascii;
use crate::domain::ids::EbsSnapshotId;
use crate::domain::snapshot::Failure;
use crate::domain::tags::{PREFIX, Tags};
use crate::error::BoxError;

/// How long EC2 may make use of our signature.
const SIGNED_FOR: Duration = Duration::from_hours(1);
/// What Signature Version 4 leaves as it is
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A copy of an EBS snapshot that is to be made in the region of the [`Ec2`] that is asked.
#[derive(Clone, Debug)]
pub struct NewCopy<'a> {
    /// Where the original is.
    pub source_region: &'a str,
    pub source: &'a EbsSnapshotId,
    /// The key it is encrypted with; without it what is encrypted is encrypted with the region's default key.
    pub kms_key: Option<&'a str>,
    /// What EC2's description is to say.
    pub description: String,
    /// The tags, in the call itself.
    pub tags: Tags,
}

impl Ec2 {
    /// Copies an EBS snapshot into this region, in one call that is never repeated. Answers the copy, which EC2 is making
    /// then.
    pub async fn copy_snapshot(
        &self,
        copy: NewCopy<'_>,
        now: Timestamp,
    ) -> Result<EbsSnapshotId, CreationError> {
        // What is presigned names all tags too.
        let copy = NewCopy { tags: self.installation.signed(&copy.tags), ..copy };
        let presigned = match &self.credentials {
            Some(provider) => {
                let credentials = provider.provide_credentials().await;
                let credentials = credentials.map_err(|source| not_signed(&source.to_string()))?;
                let signed = presigned(&copy, &self.region, credentials, now);
                Some(signed.map_err(|source| not_signed(&source.to_string()))?)
            }
            None => None,
        };
        let NewCopy { source_region, source, kms_key, description, tags } = copy;
        let answer = self
            .creator
            .copy_snapshot()
            .source_region(source_region)
            .source_snapshot_id(source.as_str())
            .destination_region(&self.region)
            .set_encrypted(kms_key.map(|_| true))
            .set_kms_key_id(kms_key.map(str::to_owned))
            .set_presigned_url(presigned)
            .description(ascii::description(&description))
            .tag_specifications(self.specification(ResourceType::Snapshot, &tags))
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let id = answer.snapshot_id().and_then(|id| id.parse().ok());
                return id.ok_or_else(|| {
                    CreationError::Unknown("EC2's answer has no snapshot id".into())
                });
            }
            Err(error) => error,
        };
        Err(match meaning(&error) {
            Meaning::NotNow(failure) => CreationError::NotNow(failure),
            Meaning::NotPermitted(failure) => CreationError::NotPermitted(failure),
            Meaning::Refused(failure) => CreationError::Refused(failure),
            Meaning::Gone(Failure { code, message }) => {
                let message = format!("{message} ({source} in {source_region})");
                CreationError::Refused(Failure { code, message })
            }
            Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Unknown => {
                CreationError::Unknown(error.into())
            }
        })
    }
}

fn not_signed(reason: &str) -> CreationError {
    CreationError::NotNow(Failure::new("NotSigned", format!("no signature: {reason}")))
}

/// The request of the source's region, signed for EC2 to make there on our behalf: encrypted snapshots are not copied
/// without it (`PresignedUrl` of <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html>). It says
/// what the request itself says, of the tags those that our rights depend on.
fn presigned(
    copy: &NewCopy<'_>,
    destination: &str,
    credentials: Credentials,
    now: Timestamp,
) -> Result<String, BoxError> {
    let source_region = copy.source_region;
    let domain =
        if source_region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let mut params: Vec<(String, &str)> = [
        ("Action", "CopySnapshot"),
        ("Version", "2016-11-15"),
        ("SourceRegion", source_region),
        ("SourceSnapshotId", copy.source.as_str()),
        ("DestinationRegion", destination),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    if let Some(key) = copy.kms_key {
        params.push(("Encrypted".to_owned(), "true"));
        params.push(("KmsKeyId".to_owned(), key));
    }
    let tag = "TagSpecification.1";
    params.push((format!("{tag}.ResourceType"), "snapshot"));
    let own = copy.tags.iter().filter(|(key, _)| key.starts_with(PREFIX));
    for (number, (key, value)) in (1..).zip(own) {
        params.push((format!("{tag}.Tag.{number}.Key"), key));
        params.push((format!("{tag}.Tag.{number}.Value"), value));
    }
    let query: Vec<_> =
        params.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let url = format!("https://ec2.{source_region}.{domain}/?{}", query.join("&"));
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(SIGNED_FOR);
    let identity = credentials.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(source_region)
        .name("ec2")
        .time(now.into())
        .settings(settings)
        .build()?
        .into();
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let signed = instructions.params().iter();
    let signed = signed.map(|(name, value)| [*name, &encoded(value)].join("="));
    Ok([url].into_iter().chain(signed).collect::<Vec<_>>().join("&"))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_other_clients_of_aws_make() {
        let credentials =
            Credentials::new("AKIDEXAMPLE", "secret", Some("to/ken+=".to_owned()), None, "test");
        let source = "snap-0123456789abcdef0".parse().unwrap();
        let now = "2026-03-01T02:00:00Z".parse().unwrap();
        let tags =
            [("Name", "web 1"), ("snapkeep:copied-from", "us-east-1/snap-0123456789abcdef0")];
        let copy = NewCopy {
            source_region: "us-east-1",
            source: &source,
            kms_key: Some("alias/far away"),
            description: "not signed".to_owned(),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        };

        let url = presigned(&copy, "eu-west-1", credentials, now).unwrap();

        // Made by botocore 1.44 (`botocore.auth.SigV4QueryAuth`) of the same request, key, token and instant.
        assert!(url.starts_with(
            "https://ec2.us-east-1.amazonaws.com/?Action=CopySnapshot&Version=2016-11-15&SourceRegion=us-east-1\
             &SourceSnapshotId=snap-0123456789abcdef0&DestinationRegion=eu-west-1&Encrypted=true\
             &KmsKeyId=alias%2Ffar%20away&TagSpecification.1.ResourceType=snapshot\
             &TagSpecification.1.Tag.1.Key=snapkeep%3Acopied-from\
             &TagSpecification.1.Tag.1.Value=us-east-1%2Fsnap-0123456789abcdef0&X-Amz-"
        ));
        assert!(url.contains("X-Amz-Security-Token=to%2Fken%2B%3D"), "{url}");
        let signature = url.split("X-Amz-Signature=").nth(1).unwrap();
        assert_eq!(
            signature.split('&').next(),
            Some("b9f41d1df843c9e73b6a16ae9631be18b35460fac5af701bfb667c38b87d1932"),
            "{url}"
        );
    }
}
