/* SPDX-License-Identifier: Apache-2.0 */
/* reports_table.c - the one table of report formats. */
#include "reports/report_writers.h"
#include "reports/reports.h"

#define WRITER(name, title, library, limits, file, by_default, function)                           \
  {                                                                                                \
    {"report", name, title, "the contract", library, limits, true, NULL}, file, by_default, false, \
        false, function                                                                            \
  }

/* Written by default where a case has more than one piece of evidence. */
#define FOR_MANY(name, title, library, limits, file, function)                                     \
  {                                                                                                \
    {"report", name, title, "the contract", library, limits, true, NULL}, file, false, false,      \
        true, function                                                                             \
  }

static const ReportWriter WRITERS[] = {
    WRITER("csv", "Hits as a table", "libcsv", "every match stands in hits.jsonl, not here",
           "hits.csv", true, report_write_hits),
    WRITER("coverage", "What was not fully examined", "libcsv", "none known", "coverage.csv", true,
           report_write_coverage),
    WRITER("entries", "Every object seen", "libcsv", "only with --entries", "entries.csv", false,
           report_write_entries),
    WRITER("notes", "Notes of people on hits", "libcsv",
           "only where notes were merged with report --notes", "notes.csv", false,
           report_write_notes),
    WRITER("jsonl", "Hits with full fidelity", "jansson", "none known", "hits.jsonl", true,
           report_write_jsonl),
    WRITER("body", "Timeline of hit objects (mactime 3)", "",
           "seconds only; no owner and mode, which the store does not keep", "timeline.body", true,
           report_write_body),
    WRITER("timesketch", "Timeline for Timesketch (JSON lines)", "jansson",
           "on request; times of unknown zone (FAT) stay out", "timesketch.jsonl", false,
           report_write_timesketch),
    WRITER(
        "timesketch-csv", "Timeline for Timesketch (CSV)", "libcsv",
        "on request; times of unknown zone (FAT) stay out; a cell that begins like a formula has "
        "' before it",
        "timesketch.csv", false, report_write_timesketch_csv),
    WRITER("dfxml", "Digital Forensics XML 1.1.0", "",
           "on request; of each object the place of its first match, not all its byte runs; which "
           "of several pieces of evidence a volume lies in is not told; years of other than four "
           "digits stay out",
           "dfxml.xml", false, report_write_dfxml),
    WRITER("case", "CASE/UCO graph (JSON-LD)", "jansson",
           "on request; times of unknown zone (FAT) stay out; the place is told in words; not held "
           "against the ontology's shapes",
           "case.jsonld", false, report_write_case),
    WRITER("stix", "Sightings as a STIX 2.1 bundle", "jansson",
           "on request; suspicious and unexplained hits alone; created, modified, valid_from and "
           "observed are the run's times, which STIX demands: all else is the same in every run",
           "stix.json", false, report_write_stix),
    WRITER("ecs", "Elastic Common Schema (JSON lines)", "jansson",
           "on request; times of unknown zone (FAT) stay out", "ecs.jsonl", false,
           report_write_ecs),
    WRITER("sentinel", "Microsoft Sentinel custom table (JSON lines)", "jansson",
           "on request; times of unknown zone (FAT) stay out", "sentinel.jsonl", false,
           report_write_sentinel),
    WRITER("kql", "Query for the same behaviour in live telemetry (KQL)", "",
           "on request; the first 1,000 unexplained contents", "hunt.kql", false, report_write_kql),
    WRITER("html", "Report for people", "",
           "the first 2,000 hits by verdict; all stand in hits.csv", "report.html", true,
           report_write_html),
    FOR_MANY("exhibits", "Index of many pieces of evidence, and a page for each", "",
             "where a case has more than one", "exhibits.html", report_write_exhibits),
    FOR_MANY("across", "What the exhibits of a case have in common", "",
             "where a case has more than one ('triage compare' does it for many cases); the first "
             "100 groups of a kind, all stand in across.csv; similar contents by ssdeep's digest, "
             "of up to 16 MiB of a file or view, none of areas",
             "across.html", report_write_across),
    FOR_MANY("across-csv", "The same as a table", "libcsv", "as across.html, but all groups",
             "across.csv", report_write_across_csv),
    {{"report", "pdf", "Report on paper", "PDF, printed by Chromium", "Chromium, when installed",
      "on request; the first 2,000 hits by verdict; its bytes depend on the version of Chromium "
      "and "
      "on the fonts",
      true, NULL},
     "report.pdf",
     false,
     true,
     false,
     report_write_pdf},
};

const ReportWriter *const *report_writers(size_t *n) {
  static const ReportWriter *writers[G_N_ELEMENTS(WRITERS)]; /* the same values every time */
  for (gsize i = 0; i < G_N_ELEMENTS(WRITERS); i++)
    writers[i] = &WRITERS[i];
  *n = G_N_ELEMENTS(WRITERS);
  return writers;
}
