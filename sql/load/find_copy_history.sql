-- Load status of this run's files. CONTAINS, because it is not documented whether file_name includes the stage path.
SELECT
    h.file_name,
    h.status,
    h.row_count,
    h.first_error_message,
    h.first_error_line_number
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(
    TABLE_NAME => ${table}, START_TIME => DATEADD(HOUR, -48, CURRENT_TIMESTAMP())
)) AS h
WHERE CONTAINS(h.file_name, ?)
