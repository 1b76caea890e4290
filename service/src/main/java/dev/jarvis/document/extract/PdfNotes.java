package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.pdfbox.cos.COSDictionary;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotation;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationWidget;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDButton;
import org.apache.pdfbox.pdmodel.interactive.form.PDChoice;
import org.apache.pdfbox.pdmodel.interactive.form.PDField;
import org.apache.pdfbox.pdmodel.interactive.form.PDPushButton;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.apache.pdfbox.pdmodel.interactive.form.PDTerminalField;
import org.apache.pdfbox.pdmodel.interactive.form.PDTextField;

/** What is shown on a page beside its text: the values of a form's fields, and text on top. */
final class PdfNotes {
  private static final int MAX_FIELDS = 10_000;

  /** The lines of fields by the annotation that shows the field. */
  private final Map<COSDictionary, String> fields = new HashMap<>();

  private PdfNotes() {}

  static PdfNotes of(PDDocument pdf) {
    PdfNotes notes = new PdfNotes();
    PDAcroForm form = pdf.getDocumentCatalog().getAcroForm(null); // as it is, without repairs
    if (form != null) {
      for (PDField field : form.getFieldTree()) {
        if (notes.fields.size() < MAX_FIELDS && field instanceof PDTerminalField shown) {
          notes.add(shown);
        }
      }
    }
    return notes;
  }

  private void add(PDTerminalField field) {
    String value = field.getValueAsString();
    boolean shown =
        !(field instanceof PDPushButton || field instanceof PDSignatureField)
            && !(field instanceof PDTextField text && text.isPassword())
            && !value.isBlank()
            && !value.equals("[]")
            && !(field instanceof PDButton && value.equals("Off"));
    if (shown && !field.getWidgets().isEmpty()) {
      String label = field.getAlternateFieldName();
      String name = label == null || label.isBlank() ? field.getPartialName() : label;
      String list =
          field instanceof PDChoice && value.startsWith("[")
              ? value.substring(1, value.length() - 1)
              : value;
      fields.put(
          field.getWidgets().getFirst().getCOSObject(),
          (name == null ? "" : name + ": ") + list.strip());
    }
  }

  /** Returns a page's lines. */
  String text(PDDocument pdf, int number) throws IOException {
    PDPage page = pdf.getPage(number - 1);
    StringBuilder text = new StringBuilder();
    for (PDAnnotation annotation : page.getAnnotations()) {
      String line =
          annotation instanceof PDAnnotationWidget
              ? fields.get(annotation.getCOSObject())
              : "FreeText".equals(annotation.getSubtype()) ? annotation.getContents() : null;
      if (line != null && !annotation.isHidden() && !annotation.isNoView()) {
        text.append('\n').append(line);
      }
    }
    return text.toString();
  }
}
