package dev.jarvis.identity.jwt;

import com.nimbusds.jose.JWSAlgorithm;
import dev.jarvis.config.Allowed;

/** An algorithm that tokens may be signed with: asymmetric ones only (RFC 7518, section 3.1). */
@Allowed("RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512")
public record SigningAlgorithm(JWSAlgorithm algorithm) {
  /**
   * Reads a name such as {@code RS256}.
   *
   * @throws IllegalArgumentException if it is not an allowed one
   */
  public static SigningAlgorithm parse(String text) {
    JWSAlgorithm algorithm = new JWSAlgorithm(text);
    // the JDK has no Ed448 key in a JWK, and secp256k1 is no longer in it
    boolean allowed =
        JWSAlgorithm.Family.RSA.contains(algorithm)
            || (JWSAlgorithm.Family.EC.contains(algorithm)
                && !JWSAlgorithm.ES256K.equals(algorithm));
    if (!allowed) {
      throw new IllegalArgumentException("not an asymmetric algorithm");
    }
    return new SigningAlgorithm(algorithm);
  }

  @Override
  public String toString() {
    return algorithm.getName();
  }
}
