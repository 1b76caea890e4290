package dev.jarvis.provider;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.jarvis.provider.VectorList.Item;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;

/**
 * Reads a vector: an array of numbers, an array of one such array (llama.cpp), or 32-bit floats,
 * little-endian, in Base64, which some servers send although numbers were asked for.
 */
final class VectorReader {
  private static final int MAX_NUMBERS = 1 << 16;

  private VectorReader() {}

  /** Reads the value at which the parser stands, to its end. */
  static Item read(JsonParser json) throws IOException {
    return switch (json.currentToken()) {
      case VALUE_NULL -> new Item(null, null, null);
      case VALUE_STRING -> base64(json.getText().strip());
      case START_ARRAY -> array(json);
      default -> {
        json.skipChildren();
        yield new Item(null, null, "it is neither an array nor a text");
      }
    };
  }

  private static Item array(JsonParser json) throws IOException {
    JsonToken token = json.nextToken();
    if (token == JsonToken.START_ARRAY) {
      Item row = array(json);
      int rows = 1;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        json.skipChildren();
        rows++;
      }
      return rows == 1
          ? row
          : new Item(null, null, "it has " + rows + " rows, one for each token perhaps");
    }
    float[] numbers = new float[1024];
    int count = 0;
    String problem = null;
    for (; token != JsonToken.END_ARRAY; token = json.nextToken()) {
      float number = token.isNumeric() ? json.getFloatValue() : Float.NaN;
      json.skipChildren();
      if (problem != null) {
        continue;
      }
      if (!Float.isFinite(number)) {
        problem = "element " + count + " is not a number";
      } else if (count == MAX_NUMBERS) {
        problem = "it has more than " + MAX_NUMBERS + " numbers";
      } else {
        numbers = count == numbers.length ? Arrays.copyOf(numbers, 2 * count) : numbers;
        numbers[count++] = number;
      }
    }
    return new Item(null, problem == null ? Arrays.copyOf(numbers, count) : null, problem);
  }

  private static Item base64(String text) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return new Item(null, null, "its Base64 is damaged");
    }
    if (bytes.length % Float.BYTES != 0) {
      return new Item(null, null, "its %d bytes are not 32-bit floats".formatted(bytes.length));
    }
    float[] numbers = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(numbers);
    for (int i = 0; i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        return new Item(null, null, "element " + i + " is not a number");
      }
    }
    return new Item(null, numbers, null);
  }
}
