package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The types of files, by name and content together. */
class FileTypeTest {
  private static MediaType detect(String name, String content) {
    return FileType.detect(content.getBytes(StandardCharsets.UTF_8), name);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "README.md | <h1 align=center>Tool</h1> Run `curl <host>` | MARKDOWN",
        "page.md | <!DOCTYPE html><html><body>sample | MARKDOWN",
        "mail.txt | From: a@b.c%nSubject: x%n%n<html><body>hi | TEXT",
        "a.py | #!/usr/bin/env python3%nprint(1) | CODE",
        "a.rb | #!/usr/bin/env ruby%nputs 1 | CODE",
        "run.sh | #!/bin/sh%nexec java | CODE",
        "run | #!/bin/sh%nexec java | TEXT",
        "paper.tex | \\documentclass{article} | CODE",
        "a.bat | @echo off%nrem x | CODE",
        "pom.xml | <?xml version='1.0'?><project/> | XML",
        "drawing.svg | <svg xmlns='http://www.w3.org/2000/svg'><text>a</text></svg> | XML",
        "App.java | package a; class App {} | CODE",
        "app.ts | export const a = 1; | CODE",
        "main.go | package main | CODE",
        "main.rs | fn main() {} | CODE",
        "a.sql | select 1; | CODE",
        "a.yaml | a: 1 | CODE",
        "a.toml | [a]%nb = 1 | CODE",
        "a.ini | [a]%nb=1 | CODE",
        "a.log | 12:00 \u001b[31mERROR\u001b[0m | TEXT",
        "a.json | {\"a\": 1} | JSON",
        "a.jsonl | {\"a\": 1} | JSON",
        "a.ipynb | {\"cells\": []} | IPYNB",
        "film.srt | 1%n00:00:01,000 --> 00:00:02,000%nHi | SRT",
        "film.vtt | WEBVTT%n%n00:01.000 --> 00:02.000%nHi | VTT",
        "a.csv | a;b%n1;2 | CSV",
        "A.CSV | a;b%n1;2 | CSV",
        "a.tsv | a b | TSV",
        "a.eml | From: a@b.c%nSubject: x%n%nHi | EML",
        "a.html | <p>no head | HTML",
        "page | <!-- saved --><!DOCTYPE html><html><p>x | HTML",
        "page.php3 | <html><p>x | HTML",
        "a.docx | just text | TEXT",
        "a.pdf | <!DOCTYPE html><title>Log in</title> | HTML",
        "a.unknown | words | TEXT",
        "Makefile | all: build | TEXT",
        "a.docx | %%PDF-1.7%n1 0 obj | PDF",
        "blob | %%PDF-1.7%n1 0 obj | PDF",
        "a.txt | %%PDF-1.7%n1 0 obj | PDF",
      })
  void tellsTheTypeByNameAndContent(String name, String content, MediaType type) {
    assertThat(detect(name, content.formatted())).isEqualTo(type);
  }

  @ParameterizedTest
  @CsvSource({
    "UTF-16LE",
    "UTF-16BE",
    "UTF-32LE",
    "windows-1252",
    "windows-1251",
    "Shift_JIS",
    "GBK",
    "EUC-KR"
  })
  void takesTextInEveryEncoding(String charset) {
    String text =
        switch (charset) {
          case "windows-1251" -> "Цена";
          case "windows-1252" -> "Name;Straße\nMüller;Königsallee 5";
          case "EUC-KR" -> "항구";
          default -> "港口";
        };
    byte[] bytes = (text + " 14\n").getBytes(Charset.forName(charset));
    assertThat(FileType.detect(bytes, "a.csv")).isEqualTo(MediaType.CSV);
    assertThat(FileType.detect(bytes, "blob")).isEqualTo(MediaType.TEXT);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "photo.png | 89504e470d0a1a0a0000000d49484452 | an image",
        "notes.txt | 89504e470d0a1a0a0000000d49484452 | an image",
        "a.md | 504b03040a0000000000000000000000000000000000000000000000 | a ZIP archive",
        "photo | 89504e470d0a1a0a | an image",
        "a.gz | 1f8b0800000000000003 | a compressed file (.gz)",
        "old.doc | d0cf11e0a1b11ae1000000000000000000000000000000003e000300feff0900 | an old Word"
            + " document (.doc); save it as .docx",
        "old.xls | d0cf11e0a1b11ae1000000000000000000000000000000003e000300feff0900 | an old Excel"
            + " workbook (.xls); save it as .xlsx or .csv",
        "a.docx | d0cf11e0a1b11ae1000000000000000000000000000000003e000300feff0900 | encrypted or"
            + " in an old format of Microsoft Office",
        "a.txt | 000102030405060708ff00fe | neither text nor a known document",
        "in.mbox |"
            + " 46726f6d20206120536174204e6f762032382030393a30303a303020323032360a46726f6d3a20610a5375626a6563743a20780a0a68690a"
            + " | a mailbox (mbox)",
      })
  void namesWhatItRefuses(String name, String hex, String words) {
    assertThatThrownBy(() -> FileType.detect(HexFormat.of().parseHex(hex), name))
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessageStartingWith("The file is " + words)
        .hasMessageContaining("Allowed are .txt, .md, .html, .csv")
        .hasMessageNotContaining("application/");
  }

  @Test
  void tellsOfficeFilesByTheirParts() throws Exception {
    byte[] docx = Corpus.docx("One.");
    for (String name : new String[] {"blob", "file", "upload", "a.docx", "a.txt", "a.zip"}) {
      assertThat(FileType.detect(docx, name)).as(name).isEqualTo(MediaType.DOCX);
    }
    byte[] lateTypes = zip("_rels/.rels", "<a/>", "word/document.xml", "<a/>");
    assertThat(FileType.detect(lateTypes, "blob")).isEqualTo(MediaType.DOCX);
    assertThatThrownBy(() -> FileType.detect(zip("a.txt", "x"), "a.zip"))
        .hasMessageContaining("a ZIP archive; upload the files in it");
  }

  private static byte[] zip(String... namesAndTexts) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (int i = 0; i < namesAndTexts.length; i += 2) {
        zip.putNextEntry(new ZipEntry(namesAndTexts[i]));
        zip.write(namesAndTexts[i + 1].getBytes(StandardCharsets.UTF_8));
      }
    }
    return bytes.toByteArray();
  }
}
