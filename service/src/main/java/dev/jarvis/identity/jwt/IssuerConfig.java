package dev.jarvis.identity.jwt;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.HttpUrl;
import dev.jarvis.config.Problems;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An OIDC issuer whose tokens are accepted, and whom they stand for. */
public record IssuerConfig(
    @Doc("The issuer's URL, exactly as the claim iss has it.") HttpUrl issuer,
    @Doc(
            "The claim aud must have one of these values, comma-separated: JARVIS' names at the issuer.")
        List<String> audiences,
    @Doc(
            "Where the issuer's public keys are (JWKS). Empty: as /.well-known/openid-configuration below the issuer says.")
        @Nullable HttpUrl jwksUrl,
    @Doc("The algorithms by which tokens may be signed, comma-separated.") @Default("RS256,ES256")
        List<SigningAlgorithm> algorithms,
    @Doc("The claim that is the user's id.") @Default("sub") String userClaim,
    @Doc(
            "The claim that is the id of the user's team; it must be an existing team. Empty: the team that an administrator has put the user into.")
        @Nullable String teamClaim,
    @Doc(
            "The claim, a text or a list of texts, that says the user's role; a dot leads into an object (realm_access.roles). Empty: the role that an administrator has given.")
        @Nullable String roleClaim,
    @Doc(
            "The values of role-claim, comma-separated, that make the user an administrator; all others are members.")
        @Default("admin")
        List<String> adminRoles,
    @Doc(
            "Whether a user who does not exist yet is created, as a member, at their first token. Otherwise the token is refused.")
        @Default("false")
        boolean createUsers)
    implements Checked {

  @Override
  public void check(Problems problems) {
    if (audiences.isEmpty()) {
      problems.add(
          "audiences", "must have a value: a token for another service must not open this one.");
    }
    if (algorithms.isEmpty()) {
      problems.add("algorithms", "must have a value.");
    }
  }
}
