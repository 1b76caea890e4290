package dev.jarvis.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Changes of an input: of its bytes, and of the JSON values in it. */
enum Mutation {
  FLIP {
    @Override
    byte[] apply(byte[] input, Random random) {
      byte[] changed = input.clone();
      for (int left = 1 + random.nextInt(4); left > 0; left--) {
        changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      }
      return changed;
    }
  },
  TRUNCATE {
    @Override
    byte[] apply(byte[] input, Random random) {
      return Arrays.copyOf(input, random.nextInt(input.length));
    }
  },
  REMOVE {
    @Override
    byte[] apply(byte[] input, Random random) {
      int from = random.nextInt(input.length);
      int to = Math.min(input.length, from + 1 + random.nextInt(32));
      return replaced(input, from, to, new byte[0]);
    }
  },
  DUPLICATE {
    @Override
    byte[] apply(byte[] input, Random random) {
      int from = random.nextInt(input.length);
      int to = from + random.nextInt(input.length - from + 1);
      return replaced(input, to, to, Arrays.copyOfRange(input, from, to));
    }
  },
  INSERT {
    @Override
    byte[] apply(byte[] input, Random random) {
      int at = random.nextInt(input.length + 1);
      return replaced(input, at, at, bytes(pick(BYTES, random)));
    }
  },
  SWAP_LINES {
    @Override
    byte[] apply(byte[] input, Random random) {
      String[] lines = text(input).split("(?<=\n)");
      int one = random.nextInt(lines.length);
      int other = random.nextInt(lines.length);
      String kept = lines[one];
      lines[one] = lines[other];
      lines[other] = kept;
      return bytes(String.join("", lines));
    }
  },
  LINE_ENDS {
    @Override
    byte[] apply(byte[] input, Random random) {
      String end = pick(List.of("\r\n", "\r", "\n\n\n", " \n", "\n\r"), random);
      return bytes(text(input).replace("\n", end));
    }
  },
  /** Most often, because it leads past the JSON parser. */
  VALUE {
    @Override
    byte[] apply(byte[] input, Random random) {
      String text = text(input);
      List<MatchResult> found =
          JSON_VALUE.matcher(text).results().filter(it -> it.group(1) == null).toList();
      if (found.isEmpty()) {
        return input;
      }
      MatchResult value = found.get(random.nextInt(found.size()));
      String other =
          switch (random.nextInt(10)) {
            case 0 -> pick(NO_VALUES, random);
            case 1, 2 -> found.get(random.nextInt(found.size())).group();
            default -> pick(VALUES, random);
          };
      return bytes(text.substring(0, value.start()) + other + text.substring(value.end()));
    }
  };

  /**
   * A text, number, word, or an object or array without others in it; group 1 is set for a field's
   * name.
   */
  private static final Pattern JSON_VALUE =
      Pattern.compile(
          "\"(?:[^\"\\\\]|\\\\.){0,2000}+\"(\\s*:)?+|-?\\d[\\d.eE+-]*+|true|false|null"
              + "|\\{[^{}\\[\\]]{0,2000}+\\}|\\[[^{}\\[\\]]{0,2000}+\\]");

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "\"\"",
          "\" \"",
          "{}",
          "[]",
          "[null]",
          "[[]]",
          "[{}]",
          "{\"a\":{\"b\":[1,null]}}",
          "0",
          "-0",
          "-1",
          "128",
          "2147483647",
          "-2147483648",
          "4294967296",
          "9223372036854775807",
          "-9223372036854775808",
          "18446744073709551616",
          "1e999",
          "-1e999",
          "1e-999",
          "0.1",
          "7".repeat(999),
          "\"\\ud800\"",
          "\"\\udc00\\ud800\"",
          "\"\\u0000\"",
          "\"\\r\\n\\u2028\\ufeff\"",
          "\"[DONE]\"",
          "\"error\"",
          "\"tool_calls\"",
          "\"" + "x".repeat(10_000) + "\"",
          "[".repeat(900) + "]".repeat(900),
          "{\"a\":".repeat(900) + "1" + "}".repeat(900),
          "[" + "0,".repeat(20_000) + "0]",
          "[" + "{},".repeat(20_000) + "{}]");

  /** What a parser refuses. */
  private static final List<String> NO_VALUES =
      List.of(
          "",
          "NaN",
          "'a'",
          "1E1000000000",
          "7".repeat(100_000),
          "0." + "3".repeat(100_000),
          "[".repeat(100_000),
          "{\"a\":".repeat(100_000));

  private static final List<String> BYTES =
      List.of(
          "\0",
          "\r",
          "\n",
          "\r\n",
          "\n\n",
          "\ufeff",
          "\"",
          "\\",
          "\\u",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "data:",
          "data: [DONE]\n",
          "data: [DONE]\n\n",
          ": comment\n",
          "event: error\n",
          "event: ping\ndata: {}\n\n",
          "id: 1\nretry: 1\n",
          "{}\n",
          "{\"error\":\"x\"}\n",
          "data: {\"error\":{\"message\":\"x\"}}\n\n",
          "\u00e9\ud83c\udf89",
          "x".repeat(100_000),
          "\n".repeat(10_000));

  private static final Mutation[] ALL = values();

  abstract byte[] apply(byte[] input, Random random);

  static byte[] any(byte[] input, Random random) {
    if (input.length == 0) {
      return INSERT.apply(input, random);
    }
    Mutation mutation = random.nextInt(4) != 0 ? VALUE : ALL[random.nextInt(ALL.length)];
    return mutation.apply(input, random);
  }

  private static String pick(List<String> texts, Random random) {
    return texts.get(random.nextInt(texts.size()));
  }

  private static byte[] replaced(byte[] input, int from, int to, byte[] with) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(input, 0, from);
    out.writeBytes(with);
    out.write(input, to, input.length - to);
    return out.toByteArray();
  }

  /** Keeps every byte, as ISO 8859-1, so that invalid UTF-8 stays as it is. */
  private static String text(byte[] input) {
    return new String(input, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    boolean isBytes = text.chars().allMatch(it -> it < 256);
    return text.getBytes(isBytes ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }
}
