//! Converts a verified token to the types of `jsonwebtoken`.

use jsonwebtoken::{Algorithm, Header, TokenData, errors::Error};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Token;

impl Token {
    /// Returns the header and the claims in the type that `jsonwebtoken::decode` returns.
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
    ///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
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
    /// Returns an error if the claims do not match the type, if a header member has another type than in
    /// `jsonwebtoken::Header` (such as an `x5c` that is not a list), or if the algorithm is ES512, which
    /// `jsonwebtoken` does not support.
    pub fn token_data<C: DeserializeOwned>(&self) -> Result<TokenData<C>, Error> {
        let algorithm = Algorithm::try_from(self.alg())?;
        let mut header = self.header();
        // The header may call EdDSA `Ed25519` (RFC 9864), which `jsonwebtoken` does not know.
        header.insert("alg".to_owned(), serde_json::to_value(algorithm)?);
        let header: Header = serde_json::from_value(Value::Object(header))?;
        let claims = self.claims_as()?;
        Ok(TokenData { header, claims })
    }
}
