package dev.jarvis.document;

/** Arithmetic of embeddings. */
public final class Vectors {
  private Vectors() {}

  /** The same direction with length 1, so that the cosine of two is their product. */
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

  /** In PostgreSQL's form of an array. */
  public static String array(float[] vector) {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < vector.length; i++) {
      text.append(i == 0 ? "" : ",").append(vector[i]);
    }
    return text.append('}').toString();
  }
}
