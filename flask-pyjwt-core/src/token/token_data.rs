//! A verified token in the types of `jsonwebtoken`.

use jsonwebtoken::{Algorithm, Header, TokenData, errors::Error};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Token;

impl Token {
    /// The header and the claims, as `jsonwebtoken::decode` gives them.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, jsonwebtoken::{Algorithm, TokenData}};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims {
    ///     sub: String,
    ///     team: u32,
    /// }
    ///
    /// let auth = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
    /// ))?;
    /// let token = auth.auth_token("alice").claim("team", 7).sign()?;
    /// let data: TokenData<Claims> = auth.verify_token(token.signed())?.token_data()?;
    /// assert_eq!((data.claims.sub.as_str(), data.claims.team), ("alice", 7));
    /// assert_eq!(data.header.alg, Algorithm::HS256);
    ///
    /// let without_team = auth.auth_token("alice").sign()?;
    /// assert!(without_team.token_data::<Claims>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the claims do not fit the type, when the header has a registered member of another type than
    /// `jsonwebtoken::Header` (such as an `x5c` that is no list), and for ES512, which `jsonwebtoken` does not
    /// have.
    pub fn token_data<C: DeserializeOwned>(&self) -> Result<TokenData<C>, Error> {
        let algorithm = Algorithm::try_from(self.alg())?;
        let mut header = self.header();
        // A token may call EdDSA by its other name (RFC 9864), which `jsonwebtoken` does not have.
        header.insert("alg".to_owned(), serde_json::to_value(algorithm)?);
        let header: Header = serde_json::from_value(Value::Object(header))?;
        let claims = self.claims_as()?;
        Ok(TokenData { header, claims })
    }
}
