//! TLS handshakes with a server, 100 a second, as whoever talks to an API server begins. Whose certificate it shows does not
//! matter here: a server that has shown one, and proven that it has the key, works.

use crate::connections::connect_again_and_again;
use anyhow::{Context, Result, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than a server says at once until a handshake is done.
const ROOM: usize = 16 * 1024;

/// Shakes hands with `target` for ever.
pub(crate) fn watch(target: SocketAddr) -> Result<()> {
    let provider = Arc::new(ring::default_provider());
    let anybody = Arc::new(Anybody(Arc::clone(&provider)));
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.context("TLS")?.dangerous().with_custom_certificate_verifier(anybody);
    let mut config = config.with_no_client_auth();
    // Each handshake is a whole one.
    config.resumption = rustls::client::Resumption::disabled();
    let config = Arc::new(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(connect_again_and_again(|| shake_hands(target, Arc::clone(&config))))
}

async fn shake_hands(target: SocketAddr, config: Arc<ClientConfig>) -> Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    let mut tls = ClientConnection::new(config, ServerName::IpAddress(target.ip().into()))?;
    let mut said = vec![0; ROOM];
    loop {
        let mut ours = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut ours)?;
        }
        stream.write_all(&ours).await?;
        if !tls.is_handshaking() {
            return Ok(());
        }
        let count = stream.read(&mut said).await?;
        ensure!(count > 0, "the server hung up");
        let mut theirs = said.get(..count).unwrap_or_default();
        while !theirs.is_empty() {
            tls.read_tls(&mut theirs)?;
            tls.process_new_packets()?;
        }
    }
}

/// Takes every certificate; signatures count.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
