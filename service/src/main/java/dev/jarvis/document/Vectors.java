package dev.jarvis.document;

/** Arithmetic and notation of embeddings. */
public final class Vectors {
  private Vectors() {}

  /** Scales a vector to length 1, so that the cosine of two vectors is their dot product. */
  public static float[] unit(float[] vector) {
    double square = 0;
    for (float it : vector) {
      square += (double) it * it;
    }
    double length = square > 0 && Double.isFinite(square) ? Math.sqrt(square) : 1;
    float[] unit = new float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      unit[i] = Float.isFinite(vector[i]) ? (float) (vector[i] / length) : 0;
    }
    return unit;
  }

  /** A parameter for {@code CAST(? AS real[])}. */
  public static String array(float[] vector) {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < vector.length; i++) {
      text.append(i == 0 ? "" : ",").append(vector[i]);
    }
    return text.append('}').toString();
  }
}
