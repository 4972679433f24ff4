//! How identifiers, times and secrets stand in CBOR.

use minicbor::decode::Error;
use minicbor::encode::{self, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use crate::id::{AccessKeyId, AccountId, ProviderId, SessionId, UniqueId};
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

macro_rules! codec {
    ($type:ty, |$value:ident, $e:ident| $write:expr, |$d:ident| $read:expr) => {
        impl<C> Encode<C> for $type {
            fn encode<W: Write>(
                &self,
                $e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                let $value = self;
                $write?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode($d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
                $read.map_err(|_| Error::message(concat!("malformed ", stringify!($type))))
            }
        }
    };
}

codec!(AccessKeyId, |id, e| e.str(id.as_str()), |d| AccessKeyId::parse(d.str()?));
codec!(UniqueId, |id, e| e.str(id.as_str()), |d| UniqueId::parse_stored(d.str()?));
codec!(AccountId, |id, e| e.u64(id.number()), |d| AccountId::from_number(d.u64()?));
codec!(ProviderId, |id, e| e.bytes(&id.0), |d| d.bytes()?.try_into().map(ProviderId));
codec!(SessionId, |id, e| e.bytes(&id.0), |d| d.bytes()?.try_into().map(SessionId));
codec!(Timestamp, |time, e| e.i64(time.secs()), |d| d.i64().map(Timestamp::from_secs));
codec!(SecretAccessKey, |secret, e| e.str(secret.expose()), |d| SecretAccessKey::parse(
    Zeroizing::new(d.str()?.to_owned())
));
