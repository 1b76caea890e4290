package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads subtitles, SRT or WebVTT: what is said, under the time at which it is said. */
final class SubtitlesText {
  private static final Pattern TIMES =
      Pattern.compile(
          "\\s*((?:\\d+:)?\\d\\d?:\\d\\d)[.,]\\d+\\s*-->\\s*(?:\\d+:)?\\d\\d?:\\d\\d[.,]\\d+.*");

  /** Of speech that gets a time of its own. */
  private static final int MIN_CHARS = 600;

  private static final Pattern NUMBER = Pattern.compile("\\s*\\d+\\s*");
  private static final Pattern MARKUP = Pattern.compile("<[^>\n]{0,200}>|\\{\\\\[^}\n]{0,200}\\}");

  private SubtitlesText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    String[] lines = PlainText.text(file, writer).split("\\R", -1);
    StringBuilder speech = new StringBuilder();
    String time = "";
    boolean cue = false;
    String before = "";
    for (int i = 0; i < lines.length; i++) {
      String line = lines[i];
      Matcher times = TIMES.matcher(line);
      if (times.matches()) {
        if (time.isEmpty() || speech.length() >= MIN_CHARS) {
          writer.add(0, time, speech.toString());
          speech.setLength(0);
          time = times.group(1);
        }
        cue = true;
      } else if (line.isBlank()) {
        cue = false;
      } else if (cue) {
        String said = MARKUP.matcher(line).replaceAll("").strip();
        if (!said.equals(before)) { // captions that scroll repeat their last line
          speech.append(said).append('\n');
        }
        before = said;
      } else if (!NUMBER.matcher(line).matches() && !isTechnical(line)) {
        speech.append(isIdentifier(lines, i) ? "" : line.strip() + "\n");
      }
    }
    writer.add(0, time, speech.toString());
  }

  private static boolean isTechnical(String line) {
    return line.startsWith("WEBVTT") || line.matches("(?:Kind|Language|STYLE|REGION|NOTE).*");
  }

  /** Whether the line before a cue's times names the cue. */
  private static boolean isIdentifier(String[] lines, int i) {
    return i + 1 < lines.length && TIMES.matcher(lines[i + 1]).matches();
  }
}
