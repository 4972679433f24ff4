"""Metadata of a SAML provider that nobody has the key of."""

CERTIFICATE = (
    "MIIBKzCB0qADAgECAhQ/k8xgZJkwbVcxlJyd8BPViyp7XTAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtpZHAu"
    "ZXhhbXBsZTAeFw0yNjExMjExMjQzMDdaFw0yNzExMjIxMjQzMDdaMBYxFDASBgNVBAMMC2lkcC5leGFtcGxl"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3Tkq+4WArIKi0iivmOqJrn0ahWjpja/Mh77dmZc51mmb8NOZ"
    "51+eVj7dKWbLN7H1X/UohV+7cWZhGwxgG8MTqTAKBggqhkjOPQQDAgNIADBFAiEAjeUlDyIeSv4eN4Iyt0Rg"
    "dvxNbHLHEYoXkrGZ8r3oMe4CIBMEX8/M5p+urP36YegqpH2txOOZ3fvy7NinNLhG7c3z"
)
HEAD = '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"'
REST = (
    '><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
    '<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
    f"<ds:X509Certificate>{CERTIFICATE}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    "</md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>"
)


def metadata(length=1200, attributes=""):
    """Of this length: a comment fills it."""
    text = HEAD + attributes + REST
    return text + "<!--" + "x" * (length - len(text) - 7) + "-->"
